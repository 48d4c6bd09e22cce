// bpmn-moddle ships no types that TypeScript finds: just what the tests use of it.
declare module 'bpmn-moddle' {
  export class BpmnModdle<Element> {
    constructor(packages: Record<string, unknown>);
    fromXML(xml: string): Promise<{ rootElement: Element; warnings: unknown[] }>;
    toXML(element: Element, options: { format: boolean }): Promise<{ xml: string }>;
  }
}

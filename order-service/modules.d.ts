// bpmn-moddle ships no types that TypeScript finds: just what the diagram reader uses of it.
declare module 'bpmn-moddle' {
  export class BpmnModdle<Element> {
    constructor(packages: Record<string, unknown>);
    fromXML(xml: string): Promise<{ rootElement: Element; warnings: unknown[] }>;
  }
}

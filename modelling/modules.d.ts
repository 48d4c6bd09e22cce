// Libraries without types of their own that TypeScript finds: just what is used of them.
declare module 'bpmn-moddle' {
  export class BpmnModdle<Element> {
    constructor(packages: Record<string, unknown>);
    fromXML(xml: string): Promise<{ rootElement: Element; warnings: { message: string }[] }>;
    toXML(element: Element, options: { format: boolean }): Promise<{ xml: string }>;
  }
}

// Libraries without types of their own that TypeScript finds: just what is used of them.
declare module 'bpmn-moddle' {
  export class BpmnModdle<Element> {
    constructor(packages: Record<string, unknown>);
    fromXML(xml: string): Promise<{ rootElement: Element; warnings: { message: string }[] }>;
    toXML(element: Element, options: { format: boolean }): Promise<{ xml: string }>;
  }
}
declare module 'bpmnlint' {
  export class Linter {
    constructor(options: { config: unknown; resolver: unknown });
    lint(
      definitions: unknown,
    ): Promise<Record<string, { id?: string; message: string; category: string; path?: unknown }[]>>;
  }
}
declare module 'bpmnlint/lib/resolver/node-resolver.js' {
  export default class NodeResolver {
    constructor(options: { require: NodeJS.Require });
  }
}

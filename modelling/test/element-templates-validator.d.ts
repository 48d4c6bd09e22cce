declare module '@bpmn-io/element-templates-validator' {
  export function validateAllZeebe<T>(templates: T[]): {
    valid: boolean;
    results: { valid: boolean; object: T; errors?: { message: string }[] }[];
  };
}

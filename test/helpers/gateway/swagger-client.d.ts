/** swagger-client has no types. These cover what the tests use. */
declare module 'swagger-client' {
  interface SwaggerResponse {
    readonly status: number;
    readonly body: unknown;
    readonly headers: Readonly<Record<string, string>>;
  }

  interface Operation {
    readonly operationId: string;
    readonly parameters?: Readonly<Record<string, unknown>>;
    readonly requestBody?: unknown;
  }

  interface Client {
    readonly errors: readonly unknown[];
    readonly spec: { readonly paths: object };
    execute(operation: Operation): Promise<SwaggerResponse>;
  }

  const SwaggerClient: (url: string) => Promise<Client>;
  export default SwaggerClient;
}

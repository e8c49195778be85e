/** The settings of the gateway's own paths. */

/** The paths of the gateway's own pages. `false` disables a page. */
export interface PathSettings {
  /**
   * Path of the document without extension: `/openapi` serves `/openapi.json` and `/openapi.yaml`.
   *
   * @defaultValue `'/openapi'`
   */
  readonly openapi: string | false;
  /**
   * Path of the page that shows the document, which it requires: Swagger UI, or that of `docs`.
   *
   * @defaultValue `'/docs'`
   */
  readonly docs: string | false;
  /**
   * Path of asynchronous requests, which need a store: `/requests` serves `/requests/{id}`. If it is
   * disabled, requests are synchronous, and those of operations with `x-async: required` fail.
   *
   * @defaultValue `'/requests'`
   */
  readonly requests: string | false;
  /**
   * Path of the liveness check.
   *
   * @defaultValue `'/livez'`
   */
  readonly livez: string | false;
  /**
   * Path of the readiness check.
   *
   * @defaultValue `'/readyz'`
   */
  readonly readyz: string | false;
}

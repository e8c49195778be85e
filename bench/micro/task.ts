/** Micro benchmarks: each measures a single part of the product, in this process. */

/** A measurement. */
export interface MicroTask {
  readonly name: string;
  /** Units of work per call. The reported time is per unit. */
  readonly units: number;
  run(): void | Promise<void>;
}

/** Measurements of a part that are compared with each other. */
export interface MicroSuite {
  readonly title: string;
  readonly tasks: readonly MicroTask[];
  /** Releases the resources of the tasks. */
  readonly close?: () => void;
}

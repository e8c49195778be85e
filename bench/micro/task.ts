/** Micro benchmarks: one part of the product at a time, in this process. */

/** One thing to measure. */
export interface MicroTask {
  readonly name: string;
  /** Work units of one call: the time told is that of one. */
  readonly units: number;
  run(): void | Promise<void>;
}

/** Tasks of one part, with what they compare. */
export interface MicroSuite {
  readonly title: string;
  readonly tasks: readonly MicroTask[];
  /** Ends what the tasks need. */
  readonly close?: () => void;
}

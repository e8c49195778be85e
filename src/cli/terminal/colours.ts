/**
 * terminal: what a person sees. Tables, colours, progress, and log lines for a terminal.
 *
 * Colours of a command's output on terminals that support them.
 */
import { styleText } from 'node:util';

type Colour = Parameters<typeof styleText>[0];

/** Colours a text, or returns it unchanged. */
export type Painter = (colour: Colour, text: string) => string;

/** @param enabled whether the output supports colours. */
export function painter(enabled = false): Painter {
  return (colour, text) => (enabled ? styleText(colour, text, { validateStream: false }) : text);
}

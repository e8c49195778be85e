/** Colours of a command's output on terminals that support them. */
import { styleText } from 'node:util';

type Colour = Parameters<typeof styleText>[0];

/** Colours a text, or returns it unchanged. */
export type Painter = (colour: Colour, text: string) => string;

/** @param wanted whether the output supports colours. */
export function painter(wanted = false): Painter {
  return (colour, text) => (wanted ? styleText(colour, text, { validateStream: false }) : text);
}

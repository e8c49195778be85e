/** Colours of what commands write, where a terminal shows them. */
import { styleText } from 'node:util';

type Colour = Parameters<typeof styleText>[0];

/** Gives a text a colour, or gives it back as it is. */
export type Painter = (colour: Colour, text: string) => string;

/** @param wanted whether the place it goes to shows colours. */
export function painter(wanted = false): Painter {
  return (colour, text) => (wanted ? styleText(colour, text, { validateStream: false }) : text);
}

/** Tells the parts of a piece of Markdown whether more of it is still to come. */
import { createContext } from 'react';

export const Growing = createContext(false);

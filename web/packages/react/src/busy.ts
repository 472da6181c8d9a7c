/** Whether any run goes on, when branches must stay as they are: told to the buttons alone, past hundreds of rows. */
import { createContext } from 'react';

export const Busy = createContext(false);

/** Leaves a style that is written as text out, in place of the library that would read it. */
export default (): void => undefined;

/** The browser's own, in place of the one that libraries bring along. */
export default (value: unknown): unknown => structuredClone(value);

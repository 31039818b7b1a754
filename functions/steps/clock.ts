/** Milliseconds since the epoch. */
export type Now = () => number;

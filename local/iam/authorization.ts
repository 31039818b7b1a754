/** One permission that a call needs; a call may need several (CreateService and, with tags, TagResource). */
import type { Request } from './authorizer.ts';

export type Authorization = Omit<Request, 'principal'>;

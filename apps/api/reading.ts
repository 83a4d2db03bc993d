import { createParamDecorator } from '@nestjs/common';
import { type Caller, trialCaller } from '#domain/kernel/caller';

/** Who reads: what the read models show depends on it. */
export type Reader = Caller;

const everything = trialCaller('staff:local');

/** Until there is sign-in, every caller reads as the owner of the machine, who may see all rows. */
export const Reading = createParamDecorator((): Reader => everything);

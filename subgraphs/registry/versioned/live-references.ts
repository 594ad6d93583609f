/** Asked before a thing is erased: whether a published template that can be fetched still runs it. */
export interface LiveReferences {
  include(thingId: string): Promise<boolean>;
}

/** For an installation in which nothing can be published: there, nothing refers to anything. */
export const NOTHING_PUBLISHED: LiveReferences = { include: async () => false };

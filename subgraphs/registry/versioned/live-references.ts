/** `under way`: no version runs it, but one that is being published is to. */
export type Inclusion = 'live' | 'under way';

/** What published templates run. */
export interface LiveReferences {
  /** Asked before a thing is erased: whether a version that is not unpublished runs it. */
  include(thingId: string): Promise<Inclusion | null>;
  /** The version that anybody may run: the named one, or that of the newest live template version; null: none. */
  publicVersion(thingId: string, version: number | null): Promise<number | null>;
}

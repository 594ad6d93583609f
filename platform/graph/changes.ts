/**
 * What a subscription field is made of. A subscription is a cursor over the changes of something that is stored: the
 * gateway asks "what came after this?" whenever a notice gives it reason to. So no process keeps a queue of events, a
 * notice that is lost or comes twice does no harm, and an event is as durable as the record that it is read from.
 */
export interface Changes {
  /** What the subscription field resolves to, one for each change after the cursor, the oldest first. */
  values: readonly unknown[];
  /** Where these end. For the source alone to understand. */
  cursor: string;
  /** A notice about this topic may mean that there are more. */
  topic: string;
  /** Nothing will ever come after these. */
  ended: boolean;
}

/**
 * Without a cursor: the present state, as one value. Throws a Problem for a caller who may not know. It is called for each
 * event, with whoever the caller is at that time.
 */
export type ChangeSource<C> = (
  args: Readonly<Record<string, unknown>>,
  context: C,
  after: string | null,
) => Promise<Changes>;

/** By the name of the subscription field. */
export type ChangeSources<C> = Readonly<Record<string, ChangeSource<C>>>;

export interface FollowListener {
  /** There may be news about this topic. */
  heard(topic: string): void;
  /** Notices may have been lost: there may be news about anything. */
  missed(): void;
}

/** Tells of topics about which there may be news. Returns the way to stop it. */
export type Follow = (listener: FollowListener) => () => void;

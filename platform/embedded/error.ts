/** Why an embedded engine cannot be used here. The message is for the person who starts the process. */
export class EmbeddedError extends Error {}

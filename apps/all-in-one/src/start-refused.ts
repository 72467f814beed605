/** The system cannot be started as things are; the message is for the person who started it, and is all he needs. */
export class StartRefused extends Error {
  override readonly name = 'StartRefused'
}

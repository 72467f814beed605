/** What a mail says, before it becomes plain text and HTML. Everything in it is text, never markup. */
export interface Letter {
  /** One line; carries nothing that a visitor has typed. */
  readonly subject: string
  /** The visitor's name as he gave it; see `greetingOf` for what becomes of it. */
  readonly name?: string
  readonly paragraphs: readonly string[]
  readonly action: LetterAction
  /** What to do for a reader who had no part in it. */
  readonly notYou: string
}

/** The one thing that the reader can do. */
interface LetterAction {
  readonly label: string
  /** An absolute http(s) address. */
  readonly link: string
  /** Until when the link works, as a sentence. */
  readonly expiry?: string
}

/** On whose behalf the mail is sent. */
export interface Product {
  readonly name: string
  /** Its home page. */
  readonly url: string
}

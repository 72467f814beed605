import type { Topic } from '@millrace/event'
import { draftOutbox, type Emitted, type OutboxDraft } from '../outbox.ts'

/** The emitted events of one commit. */
export class HarvestedEmits {
  /** Their topics, by name. */
  readonly topics = new Map<string, Topic>()
  #emits: Emitted[] = []
  #last: Topic | undefined

  get count(): number {
    return this.#emits.length
  }

  /** Adds those of a delivery; answers the length of their texts. */
  add(emits: readonly Emitted[]): number {
    let size = 0
    for (const emit of emits) {
      this.#emits.push(emit)
      if (emit.topic !== this.#last) this.topics.set(emit.topic.name, emit.topic)
      this.#last = emit.topic
      size += emit.text.length
    }
    return size
  }

  /** All of them as entries of the outbox. The commit is long on its way: here they are let go. */
  drafts(taking: ReadonlySet<string>): readonly OutboxDraft[] {
    const emits = this.#emits
    this.#emits = []
    return emits.length === 0 ? [] : draftOutbox(emits, taking)
  }
}

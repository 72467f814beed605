import { mostShadowKeys, type ShadowChange, type ShadowRecord } from '@millrace/processor'
import { demand } from './story.ts'

const said = 'what operators say of a shadow stands'

/** Whose effects are carried out, as operators have said it. */
export class ShadowJudge {
  #no = 0
  #percent: number | undefined
  readonly #keys = new Map<string, boolean>()

  /** It was not refused. */
  changed({ keys = [], percent }: ShadowChange, record: ShadowRecord): void {
    this.#no += 1
    if (percent !== undefined) this.#percent = percent
    for (const { key, promoted } of keys) {
      if (promoted === undefined) this.#keys.delete(key)
      else this.#keys.set(key, promoted)
    }
    this.read(record)
  }

  /** @param record As it is stored. */
  read(record: ShadowRecord): void {
    const [found, expected] = [text(record), text({ no: this.#no, percent: this.#percent, keys: this.#keys })]
    demand(found === expected, said, () => `stored is ${found}, said was ${expected}`)
    demand(record.keys.size <= mostShadowKeys, said, () => `${record.keys.size} keys are named`)
  }
}

function text({ no, percent, keys }: ShadowRecord): string {
  return JSON.stringify([no, percent, [...keys].toSorted(([a], [b]) => (a < b ? -1 : 1))])
}

import { afterEach, describe } from 'vitest'
import { describeApplying } from './applying.ts'
import { describeHolding } from './holding.ts'
import { describeRebuilding } from './rebuilding.ts'
import { Scene, type ViewStoreUnderTest } from './scene.ts'

/** What every view store must do, whatever it is made of. Call it in a test file of the adapter. */
export function describeViewStoreContract(
  name: string,
  start: (partitions: number) => Promise<ViewStoreUnderTest>,
): void {
  describe(`the view store contract on ${name}`, () => {
    const started: ViewStoreUnderTest[] = []
    afterEach(async () => {
      for (const subject of started.splice(0)) await subject.close()
    })
    const scene = async (partitions = 1) => {
      const subject = await start(partitions)
      started.push(subject)
      return new Scene(subject, partitions)
    }
    describeApplying(scene)
    describeHolding(scene)
    describeRebuilding(scene)
  })
}

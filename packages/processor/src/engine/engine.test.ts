import { describeEngineContract } from './contract/engine-contract.ts'
import { memoryUnderTest } from '../testing/memory-under-test.ts'

// Commits that append emitted events themselves: on Redis, and on both stores side by side in at-once-equality.test.ts.
describeEngineContract('memory', memoryUnderTest)

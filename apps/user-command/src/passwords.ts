import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { type PasswordCost, passwordCosts, phcText, readPhc } from './password-hash.ts'
import { WorkQueue } from './work-queue.ts'

/** Hashes and compares passwords, a few at a time. */
export interface Passwords {
  /** A slow salted hash in PHC form. @throws MillraceError `service.busy` */
  hash(password: string, signal?: AbortSignal): Promise<string>
  /**
   * Whether a password is the one that was hashed. Without a stored hash it does the same work and says no, so
   * that nobody learns from the time whether there is an account.
   *
   * @throws MillraceError `service.busy`, `log.corrupt` when the stored hash has another form
   */
  verify(password: string, stored: string | undefined, signal?: AbortSignal): Promise<boolean>
}

/** Options of {@link createPasswords}. */
export interface PasswordsOptions {
  /** Default: the recommendation of OWASP. `cheap` is for tests. */
  readonly cost?: keyof typeof passwordCosts
  /** Hashes at once: each takes a thread of Node's pool of four and 19 MiB. Default 2. */
  readonly concurrency?: number
  /** Hashes that may wait, at some 50 ms each for the default cost. Default 64. */
  readonly waiting?: number
}

const derive = promisify(argon2)
const saltBytes = 16
const hashBytes = 32

/** Makes the passwords of a service. Hashing runs on Node's thread pool, off the event loop. */
export function createPasswords(options: PasswordsOptions = {}): Passwords {
  const cost = passwordCosts[options.cost ?? 'default']
  const queue = new WorkQueue({ concurrency: options.concurrency ?? 2, waiting: options.waiting ?? 64 })
  // What an unknown address is compared with: nobody has its password, and the comparison is never believed.
  const nobody = { cost, salt: randomBytes(saltBytes), hash: randomBytes(hashBytes) }
  return {
    hash: (password, signal) =>
      queue.run(async () => {
        const salt = randomBytes(saltBytes)
        return phcText({ cost, salt, hash: await digest(password, salt, hashBytes, cost) })
      }, signal),
    verify: (password, stored, signal) =>
      queue.run(async () => {
        const { salt, hash, cost: itsCost } = stored === undefined ? nobody : readPhc(stored)
        const given = await digest(password, salt, hash.byteLength, itsCost)
        return timingSafeEqual(given, hash) && stored !== undefined
      }, signal),
  }
}

function digest(password: string, salt: Uint8Array, length: number, cost: PasswordCost): Promise<Buffer> {
  return derive('argon2id', {
    message: password,
    nonce: salt,
    tagLength: length,
    memory: cost.memoryKiB,
    passes: cost.passes,
    parallelism: cost.parallelism,
  })
}

import { type EventOf, topic } from '@millrace/event'
import { z } from 'zod'

// What lies on the log was checked when it came in; these bounds keep a wrong writer out.
const address = z.string().min(3).max(254)
const passwordHash = z.string().startsWith('$').max(512)

/** Somebody signed up. The password is a slow salted hash in PHC form. */
const accountCreated = z.strictObject({
  username: z.string().min(1).max(256),
  email: address,
  passwordHash,
})
const ofAddress = z.strictObject({ email: address })

/**
 * The events of accounts; the key is the account's id. Addresses are as typed (trimmed, NFC): the normal form is
 * the business of the claims. The topic has uniqueness constraints, so it lies in one slot.
 */
export const accounts = topic('accounts', {
  placement: 'together',
  // Few, because one slot is no faster with many: what waits for all of them goes in one call of the append script,
  // where each costs reads and writes of its own (8 instead of 4: 6 µs of Redis and 13 µs of Node an event more).
  partitions: 4,
  types: {
    AccountCreated: accountCreated,
    /** The owner of the address opened the link that was mailed to it. */
    AccountActivated: ofAddress,
    /** The new address has to be confirmed like the first one. */
    EmailChanged: ofAddress,
    PasswordChanged: z.strictObject({ passwordHash }),
    /** Somebody asked for the link once more. */
    ActivationRequested: ofAddress,
    /** Somebody tried to sign up with the address of this account; only with a private sign-up. */
    SignUpAttempted: ofAddress,
    AccountClosed: z.strictObject({}),
  },
})

/** Any event of the accounts topic, for `switch (event.type)`. */
export type AccountEvent = EventOf<typeof accounts>

/** Name of an event type of the accounts topic. */
export type AccountEventType = AccountEvent['type']

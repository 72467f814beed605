import { derivedId } from '@millrace/event'

/**
 * The Message-ID of the mail that an event causes (RFC 5322 3.6.4). It depends on nothing but the event, so
 * a mail that is sent twice carries the same one, and mail programs and providers can tell.
 *
 * `host` is a name of ours that stays for good; it needs no DNS entry.
 */
export function messageIdOf(eventId: string, host: string): string {
  if (!/^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,200}[A-Za-z0-9])?$/.test(host)) {
    throw new TypeError(`${JSON.stringify(host)} cannot be the host of a Message-ID`)
  }
  // CloudEvents allows any text as an id; ours are UUIDs and stay readable.
  const plain = /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/.test(eventId)
  return `<${plain ? eventId : derivedId('message-id', eventId)}@${host}>`
}

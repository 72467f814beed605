/** A server can neither be found nor fetched; the message names the choices. */
export class ServerUnavailable extends Error {
  override readonly name = 'ServerUnavailable'
}

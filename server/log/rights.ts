/** The one question that publishing asks about who publishes; a `Caller` answers it for members. */
export interface PublishRights {
  /** Throws NOT_ENTITLED unless the publisher may use the origin's domain. */
  requirePublisherOf(origin: string): void;
}

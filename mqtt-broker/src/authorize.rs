//! Who may publish and subscribe to what: the question a broker asks its owner.

use std::fmt;
use std::net::SocketAddr;
use std::pin::Pin;

use mqtt_core::{Message, ProtocolVersion, QoS, ReasonCode, TopicFilter};

/// Decides who may publish and subscribe to what.
///
/// Asked for each message of a client before it goes anywhere, for each Topic Filter of a SUBSCRIBE, and for the Will when
/// the client connects; not for what a subscription then delivers, nor for what the program itself does. Answers are not
/// kept: whoever wants to, keeps them.
///
/// What a session holds was allowed to one user, so it is resumed for the same User Name only; a client that comes with
/// another one gets a new session. Who may use which Client Identifier is for [`Authenticate`](crate::Authenticate) to say.
///
/// The answer may take time, up to [`Options::authorize_timeout`](crate::Options::authorize_timeout). Meanwhile what the
/// client sent behind it waits, so that its messages stay in order; what goes to the client does not wait, and nobody else
/// does. What is still undecided when another connection takes the session over, or the client is disconnected as too slow, is
/// dropped, unacknowledged.
///
/// A plain function will do where there is nothing to wait for:
///
/// ```
/// use std::sync::Arc;
///
/// use mqtt_broker::{Access, Action, Options};
/// use mqtt_core::ReasonCode;
///
/// let mut options = Options::default();
/// options.authorizer = Some(Arc::new(|access: &Access<'_>| match access.action {
///     Action::Publish(message) if message.topic().as_str().starts_with("public/") => Ok(()),
///     Action::Subscribe { .. } => Ok(()),
///     _ => Err(ReasonCode::NOT_AUTHORIZED),
/// }));
/// ```
pub trait Authorize: Send + Sync + 'static {
    /// Allows it, or refuses it with a Reason Code for PUBACK, PUBREC, SUBACK or CONNACK.
    ///
    /// A code that the packet may not carry becomes Not authorized (0x87). 3.x clients are told of a refused filter; a
    /// message that is refused is acknowledged to them and dropped [v311 MQTT-3.3.5-2].
    fn authorize<'a>(
        &'a self,
        access: &'a Access<'a>,
    ) -> Pin<Box<dyn Future<Output = Result<(), ReasonCode>> + Send + 'a>>;
}

impl<F> Authorize for F
where
    F: Fn(&Access<'_>) -> Result<(), ReasonCode> + Send + Sync + 'static,
{
    fn authorize<'a>(
        &'a self,
        access: &'a Access<'a>,
    ) -> Pin<Box<dyn Future<Output = Result<(), ReasonCode>> + Send + 'a>> {
        let answer = self(access);
        Box::pin(async move { answer })
    }
}

/// What a client wants to do.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Access<'a> {
    /// The version it speaks.
    pub version: ProtocolVersion,
    /// Its Client Identifier.
    pub client_id: &'a str,
    /// User Name, as it was when the client was let in.
    pub username: Option<&'a str>,
    /// Where it connects from; `None` for a stream that is not a socket.
    pub peer: Option<SocketAddr>,
    /// The certificates that it showed in its TLS handshake and that were found good, in DER: its own first, then those that
    /// lead to an authority. Empty where the listener demands none.
    pub certificates: &'a [Vec<u8>],
    /// What it wants.
    pub action: Action<'a>,
}

/// What a client may want to do.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Action<'a> {
    /// Publish this message, at once or as its Will.
    Publish(&'a Message),
    /// Subscribe.
    Subscribe {
        /// What it wants to read. Of a shared subscription, the filter behind the share name. See
        /// [`TopicFilter::covers`].
        filter: TopicFilter<'a>,
        /// The share name of a shared subscription.
        share: Option<&'a str>,
        /// The QoS it asks for.
        qos: QoS,
    },
}

impl fmt::Debug for Access<'_> {
    // A user name is often a token, so it is not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("version", &self.version)
            .field("client_id", &self.client_id)
            .field("username", &self.username.is_some())
            .field("peer", &self.peer)
            .field("certificates", &self.certificates.len())
            .field("action", &self.action)
            .finish()
    }
}

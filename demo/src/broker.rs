//! The broker of a run: one inside this program, or one that is there already.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use mqtt_broker::{Listener, LocalAddress, Pem, ServerTls};
use mqtt_client::{Client, Options};
use mqtt_transport::certificates::Authority;
use tempfile::TempDir;

/// Longest time for the embedded broker to end.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(3);

/// Where a broker is, and whom to trust there.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    /// Perhaps with a password in it.
    url: String,
    /// The certificates of those who may have signed the broker's; none for those that the system trusts.
    ca_file: Option<PathBuf>,
}

impl Endpoint {
    /// A broker at `url`.
    pub(crate) fn new(url: impl Into<String>, ca_file: Option<PathBuf>) -> Self {
        Self {
            url: url.into(),
            ca_file,
        }
    }

    /// Options of a client for it.
    pub(crate) fn options(&self) -> Result<Options> {
        let mut options = Options::from_url(&self.url).context("this is no URL of a broker")?;
        if let (Some(tls), Some(file)) = (options.tls.take(), &self.ca_file) {
            options.tls = Some(tls.with_roots_file(file));
        }
        Ok(options)
    }

    /// The variables that tell another program of it.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&'static str, String)> {
        let ca_file = self.ca_file.as_deref().map(Path::to_string_lossy);
        let ca_file = ca_file.map(|file| ("MQTT_CA_FILE", file.into_owned()));
        std::iter::once(("MQTT_URL", self.url.clone())).chain(ca_file)
    }

    /// Its address without user and password, to be shown.
    fn shown(&self) -> String {
        let options = self.options().ok();
        let address = options
            .as_ref()
            .and_then(|options| options.addresses.first());
        address.map_or_else(|| "an unknown address".to_owned(), ToString::to_string)
    }
}

/// The broker that everything talks to.
#[derive(Debug)]
pub(crate) struct Broker {
    endpoint: Endpoint,
    embedded: Option<Embedded>,
}

/// A broker inside this program, on the loopback.
#[derive(Debug)]
struct Embedded {
    broker: mqtt_broker::Broker,
    /// Holds the certificate of its authority.
    _folder: Option<TempDir>,
}

impl Broker {
    /// Starts a broker inside this program, on a port that is free.
    pub(crate) async fn embedded() -> Result<Self> {
        let broker =
            mqtt_broker::Broker::bind("127.0.0.1:0", mqtt_broker::Options::default()).await?;
        let address = broker.local_addr().context("the broker listens nowhere")?;
        Ok(Self {
            endpoint: Endpoint::new(format!("mqtt://{address}"), None),
            embedded: Some(Embedded {
                broker,
                _folder: None,
            }),
        })
    }

    /// The same with TLS: an authority is made for this run, and everything is told to trust it and no other.
    pub(crate) async fn embedded_with_tls() -> Result<Self> {
        let authority = Authority::new("authority of this demo");
        let certified = authority.server(&["localhost", "127.0.0.1"]);
        let folder = tempfile::tempdir().context("no folder for temporary files")?;
        let ca_file = folder.path().join("ca.pem");
        std::fs::write(&ca_file, authority.pem())
            .with_context(|| format!("cannot write {}", ca_file.display()))?;
        let tls = ServerTls::new(Pem::bytes(certified.chain), Pem::bytes(certified.key));
        let broker = mqtt_broker::Broker::start(mqtt_broker::Options::default());
        let listener = Listener::tcp("127.0.0.1:0").with_tls(tls);
        let LocalAddress::Tcp(address) = broker.open(&listener).await? else {
            anyhow::bail!("the broker listens at no port");
        };
        Ok(Self {
            endpoint: Endpoint::new(format!("mqtts://{address}"), Some(ca_file)),
            embedded: Some(Embedded {
                broker,
                _folder: Some(folder),
            }),
        })
    }

    /// Takes a broker that is there, and connects to it once: better one clear error now than twenty later.
    pub(crate) async fn given(endpoint: Endpoint) -> Result<Self> {
        let probe = Client::connect(endpoint.options()?)
            .await
            .context("this broker cannot be used")?;
        probe
            .close(SHUTDOWN_LIMIT)
            .await
            .context("the broker cannot be left again")?;
        Ok(Self {
            endpoint,
            embedded: None,
        })
    }

    /// Where it is.
    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Whether it runs inside this program.
    pub(crate) fn is_embedded(&self) -> bool {
        self.embedded.is_some()
    }

    /// Who and where it is, to be shown.
    pub(crate) fn shown(&self) -> String {
        let kind = match &self.embedded {
            Some(_) => "started inside this program",
            None => "the given one",
        };
        let scheme = self.endpoint.url.split(':').next().unwrap_or_default();
        format!("{kind}, at {} by {scheme}", self.endpoint.shown())
    }

    /// How many connections it has accepted so far, if it can be asked.
    pub(crate) fn connections_accepted(&self) -> Option<u64> {
        let embedded = self.embedded.as_ref()?;
        Some(embedded.broker.statistics().connections_accepted)
    }

    /// Stops the embedded broker; leaves another one alone.
    pub(crate) async fn shutdown(&self) {
        if let Some(embedded) = &self.embedded {
            embedded.broker.shutdown(SHUTDOWN_LIMIT).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use mqtt_client::Tls;

    use super::*;

    #[test]
    fn a_password_is_not_shown() {
        let endpoint = Endpoint::new("mqtt://user:secret@broker.example:1884", None);
        assert_eq!(endpoint.shown(), "broker.example:1884");
    }

    #[tokio::test]
    async fn the_embedded_broker_counts_its_connections() {
        for broker in [
            Broker::embedded().await.unwrap(),
            Broker::embedded_with_tls().await.unwrap(),
        ] {
            assert_eq!(broker.connections_accepted(), Some(0));
            let client = Client::connect(broker.endpoint().options().unwrap())
                .await
                .unwrap();
            assert_eq!(broker.connections_accepted(), Some(1));
            client.close(SHUTDOWN_LIMIT).await.unwrap();
            broker.shutdown().await;
        }
    }

    #[tokio::test]
    async fn with_tls_nobody_is_trusted_but_the_authority_of_the_run() {
        let broker = Broker::embedded_with_tls().await.unwrap();
        let stranger = Endpoint::new(broker.endpoint().url.clone(), None);
        let mut options = stranger.options().unwrap();
        options.tls = Some(Tls::new().with_roots_pem(Authority::new("another").pem()));
        assert!(Client::connect(options).await.is_err());
        let variables: Vec<_> = broker.endpoint().variables().collect();
        assert_eq!(variables.len(), 2, "{variables:?}");
        broker.shutdown().await;
    }
}

//! The broker of a run: one inside this program, or one that is there already.

use std::time::Duration;

use anyhow::{Context as _, Result};
use mqtt_client::{Client, Options};

/// Longest time for the embedded broker to end.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(3);

/// The broker that everything talks to.
#[derive(Debug)]
pub(crate) enum Broker {
    /// Runs inside this program, on the loopback.
    Embedded {
        /// The handle.
        broker: mqtt_broker::Broker,
        /// Where it listens.
        url: String,
    },
    /// Somebody else's.
    Given {
        /// Where it is, perhaps with a password.
        url: String,
    },
}

impl Broker {
    /// Starts a broker inside this program, on a port that is free.
    pub(crate) async fn embedded() -> Result<Self> {
        let broker =
            mqtt_broker::Broker::bind("127.0.0.1:0", mqtt_broker::Options::default()).await?;
        let address = broker.local_addr().context("the broker listens nowhere")?;
        Ok(Self::Embedded {
            broker,
            url: format!("mqtt://{address}"),
        })
    }

    /// Takes a broker that is there, and connects to it once: better one clear error now than twenty later.
    pub(crate) async fn given(url: &str) -> Result<Self> {
        let probe = Client::connect(options(url)?)
            .await
            .context("this broker cannot be used")?;
        probe
            .close(SHUTDOWN_LIMIT)
            .await
            .context("the broker cannot be left again")?;
        Ok(Self::Given {
            url: url.to_owned(),
        })
    }

    /// Its URL.
    pub(crate) fn url(&self) -> &str {
        match self {
            Self::Embedded { url, .. } | Self::Given { url } => url,
        }
    }

    /// Its address without user and password, to be shown.
    pub(crate) fn shown(&self) -> String {
        let address = options(self.url())
            .ok()
            .and_then(|options| options.addresses.first().cloned());
        address.map_or_else(
            || "an unknown address".to_owned(),
            |address| address.to_string(),
        )
    }

    /// How many connections it has accepted so far, if it can be asked.
    pub(crate) fn connections_accepted(&self) -> Option<u64> {
        match self {
            Self::Embedded { broker, .. } => Some(broker.statistics().connections_accepted),
            Self::Given { .. } => None,
        }
    }

    /// Stops the embedded broker; leaves another one alone.
    pub(crate) async fn shutdown(&self) {
        if let Self::Embedded { broker, .. } = self {
            broker.shutdown(SHUTDOWN_LIMIT).await;
        }
    }
}

/// Options for the broker at `url`.
pub(crate) fn options(url: &str) -> Result<Options> {
    Options::from_url(url).context("this is no URL of a broker")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown() {
        let broker = Broker::Given {
            url: "mqtt://user:secret@broker.example:1884".to_owned(),
        };
        assert_eq!(broker.shown(), "broker.example:1884");
    }

    #[tokio::test]
    async fn the_embedded_broker_counts_its_connections() {
        let broker = Broker::embedded().await.unwrap();
        assert_eq!(broker.connections_accepted(), Some(0));
        let client = Client::connect(options(broker.url()).unwrap())
            .await
            .unwrap();
        assert_eq!(broker.connections_accepted(), Some(1));
        client.close(SHUTDOWN_LIMIT).await.unwrap();
        broker.shutdown().await;
    }
}

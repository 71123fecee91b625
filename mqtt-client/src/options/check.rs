//! What can never work, found before anything is started.

use std::time::Duration;

use mqtt_core::TopicName;

use super::{Address, ClientId, Options, OptionsError, ProxyOptionsError, Version};
use crate::transport::Dialer;

impl Options {
    /// Looks for what could never work, before anything is started. Every `start` calls it. It reads the files of
    /// certificates and keys.
    ///
    /// # Errors
    /// The first [`OptionsError`] found.
    pub fn check(&self) -> Result<(), OptionsError> {
        if self.addresses.is_empty() && self.connector.is_none() {
            return Err(OptionsError::NoAddress);
        }
        if cfg!(not(unix))
            && self
                .addresses
                .iter()
                .any(|address| matches!(address, Address::Unix(_)))
        {
            return Err(OptionsError::NoUnixSockets);
        }
        let at_port_0 = |address: &Address| matches!(address, Address::Tcp { port: 0, .. });
        if self.addresses.iter().any(at_port_0) {
            return Err(OptionsError::Zero {
                option: "the port of an address",
            });
        }
        if let Some(proxy) = &self.proxy {
            proxy.check()?;
            if self.connector.is_some() {
                return Err(ProxyOptionsError::WithConnector.into());
            }
        }
        whole_seconds("keep_alive", self.keep_alive, u64::from(u16::MAX))?;
        if let Some(expiry) = self.session_expiry {
            whole_seconds("session_expiry", expiry, u64::from(u32::MAX))?;
        }
        if let Some(will) = &self.will {
            whole_seconds("will.delay", will.delay, u64::from(u32::MAX))?;
        }
        for (option, zero) in [
            ("connect_timeout", self.connect_timeout.is_zero()),
            (
                "idle_disconnect",
                self.idle_disconnect == Some(Duration::ZERO),
            ),
            ("receive_maximum", self.receive_maximum == 0),
            ("maximum_packet_size", self.maximum_packet_size == 0),
            ("queue_max_messages", self.queue_max_messages == 0),
            ("queue_max_bytes", self.queue_max_bytes == 0),
            ("stream_max_messages", self.stream_max_messages == 0),
            ("stream_max_bytes", self.stream_max_bytes == 0),
        ] {
            if zero {
                return Err(OptionsError::Zero { option });
            }
        }
        if self.reconnect.min > self.reconnect.max {
            return Err(OptionsError::BackoffRange {
                min: self.reconnect.min,
                max: self.reconnect.max,
            });
        }
        if self.reconnect.jitter_percent > 100 {
            let option = "reconnect.jitter_percent";
            return Err(OptionsError::Percent { option });
        }
        self.check_strings()?;
        if let Some(topic) = &self.response_topic {
            TopicName::new(topic).map_err(OptionsError::ResponseTopic)?;
        }
        self.check_version()?;
        Dialer::check(self)
    }

    /// Refuses what the wire has no room for: strings past 65,535 bytes or with U+0000 (v5 1.5.4).
    fn check_strings(&self) -> Result<(), OptionsError> {
        let client_id = match &self.client_id {
            ClientId::Exact(id) => id,
            ClientId::Prefix(prefix) => prefix,
        };
        let pairs = self
            .user_properties
            .iter()
            .flat_map(|(name, value)| [name, value]);
        let named = [
            ("client_id", Some(client_id)),
            ("username", self.username.as_ref()),
        ];
        let named = named
            .into_iter()
            .filter_map(|(option, text)| Some((option, text?)));
        for (option, text) in named.chain(pairs.map(|text| ("user_properties", text))) {
            if mqtt_core::Utf8::new(text).is_err() {
                return Err(OptionsError::Text { option });
            }
        }
        if self
            .password
            .as_ref()
            .is_some_and(|password| password.len() > usize::from(u16::MAX))
        {
            return Err(OptionsError::Text { option: "password" });
        }
        Ok(())
    }

    /// Refuses what the chosen version cannot say, so that it is not dropped in silence later.
    fn check_version(&self) -> Result<(), OptionsError> {
        if !self.version.is_fixed_v3() {
            return Ok(());
        }
        if self.password.is_some() && self.username.is_none() {
            return Err(OptionsError::PasswordWithoutUsername);
        }
        if matches!(&self.client_id, ClientId::Exact(id) if id.is_empty())
            && (self.version == Version::V3_1 || !self.clean_start)
        {
            return Err(OptionsError::EmptyClientId);
        }
        let will_delay = self.will.as_ref().is_some_and(|will| !will.delay.is_zero());
        for (option, used) in [
            ("user_properties", !self.user_properties.is_empty()),
            ("topic_alias_maximum", self.topic_alias_maximum > 0),
            ("outgoing_topic_aliases", self.outgoing_topic_aliases > 0),
            ("will.delay", will_delay),
        ] {
            if used {
                return Err(OptionsError::NeedsVersion5 { option });
            }
        }
        Ok(())
    }
}

/// Checks that `value` can go on the wire as a number of seconds.
fn whole_seconds(option: &'static str, value: Duration, limit: u64) -> Result<(), OptionsError> {
    if value.subsec_nanos() != 0 || value.as_secs() > limit {
        return Err(OptionsError::Seconds { option, limit });
    }
    Ok(())
}

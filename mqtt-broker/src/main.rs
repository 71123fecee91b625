//! The `mqtt-broker` program: options in, one broker, signals out.

#[cfg(unix)]
#[path = "main/descriptors.rs"]
mod descriptors;
#[path = "main/listen.rs"]
mod listen;

use std::error::Error;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use mqtt_broker::{
    AccessFile, Broker, ListenError, Options, Overflow, PasswordFile, Pem, ServerTls,
};
use mqtt_core::{KeepAlive, MaximumPacketSize, QoS, TopicName};
use tracing::level_filters::LevelFilter;

/// How long clients may take to be shown out when the program is told to stop.
const SHUTDOWN_DEADLINE: Duration = Duration::from_secs(10);

/// A really small MQTT broker (3.1, 3.1.1 and 5.0).
///
/// Everything is kept in memory. Without a password file everybody may connect, and then it listens only on addresses that
/// other machines cannot reach, unless TLS demands client certificates there. For each listener one line "listening on
/// ADDRESS:PORT", or "listening on URL" where it is not plain TCP, is written to standard output; the log goes to standard
/// error. SIGINT and SIGTERM stop it in good order, a second one at once.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
}

#[derive(Subcommand)]
enum Command {
    /// Reads a password from standard input (one line) and prints the line for the password file.
    HashPassword {
        /// The user name.
        user: String,
    },
}

#[derive(clap::Args)]
struct Serve {
    /// Where to listen; may be given several times. ADDRESS:PORT for plain TCP, where port 0 lets the system choose one, or a
    /// URL: mqtts://ADDRESS:PORT for TLS, ws://ADDRESS:PORT/PATH for WebSocket (PATH is mqtt by default), wss:// for both,
    /// unix:///PATH for a Unix socket.
    #[arg(
        long,
        value_name = "ADDRESS:PORT|URL",
        default_value = "127.0.0.1:1883"
    )]
    listen: Vec<String>,
    /// Certificate of the server for mqtts:// and wss://, in PEM, followed by the intermediate ones.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Its private key, in PEM, not encrypted.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Demand a certificate of every client of mqtts:// and wss://, signed by one of the authorities in this PEM file.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_client_ca: Option<PathBuf>,
    /// Users who may connect, one USER:HASH a line, as `mqtt-broker hash-password` prints it.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Who may publish and subscribe to what: lines as in Mosquitto's acl_file, "user NAME", "topic
    /// read|write|readwrite|deny FILTER", and "pattern ..." with %c and %u.
    #[arg(long, value_name = "FILE")]
    access_file: Option<PathBuf>,
    /// Most connected clients.
    #[arg(long, value_name = "N", default_value_t = Options::default().max_connections)]
    max_connections: usize,
    /// Most sessions, those of clients that are away included.
    #[arg(long, value_name = "N", default_value_t = Options::default().max_sessions)]
    max_sessions: usize,
    /// The longest a session is kept for a client that is away.
    #[arg(long, value_name = "SECONDS", default_value_t = Options::default().max_session_expiry.as_secs())]
    max_session_expiry: u64,
    /// The longest keep-alive; 5.0 clients that ask for more, or for none, are told this one. 0 is no limit.
    #[arg(long, value_name = "SECONDS", default_value_t = Options::default().max_keep_alive.as_secs())]
    max_keep_alive: u16,
    /// The highest QoS of subscriptions and of what 5.0 clients publish.
    #[arg(long, value_name = "QOS", default_value_t = 2, value_parser = clap::value_parser!(u8).range(0..=2))]
    max_qos: u8,
    /// Tell 5.0 clients that ask for Response Information to have responses sent below PREFIX, their client identifier
    /// and a slash.
    #[arg(long, value_name = "PREFIX")]
    response_prefix: Option<String>,
    /// How often what the broker counts is published below $SYS/broker/. 0 is never.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    sys_interval: u64,
    /// The largest packet a connected client may send.
    #[arg(long, value_name = "BYTES", default_value_t = Options::default().maximum_packet_size.get())]
    max_packet_size: u32,
    /// Most messages waiting for one session.
    #[arg(long, value_name = "N", default_value_t = Options::default().max_queued_messages)]
    max_queued_messages: usize,
    /// Most bytes of messages waiting for one session.
    #[arg(long, value_name = "BYTES", default_value_t = Options::default().max_queued_bytes)]
    max_queued_bytes: usize,
    /// What happens to a QoS 1 or 2 message for a session that has no room for it.
    #[arg(long, value_enum, default_value_t = OnOverflow::DropNewest)]
    overflow: OnOverflow,
    /// How much to log: off, error, warn, info, debug or trace.
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    log_level: LevelFilter,
}

#[derive(Clone, Copy, ValueEnum)]
enum OnOverflow {
    /// Drop the new message; a 5.0 publisher is told if nobody had room.
    DropNewest,
    /// Drop the oldest message.
    DropOldest,
    /// Disconnect the client as too slow.
    Disconnect,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match arguments.command {
        Some(Command::HashPassword { user }) => hash_password(&user),
        None => serve(arguments.serve),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mqtt-broker: {}", chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

fn hash_password(user: &str) -> Result<(), Box<dyn Error>> {
    let mut password = String::new();
    io::stdin().read_line(&mut password)?;
    let password = password.strip_suffix('\n').unwrap_or(&password);
    let password = password.strip_suffix('\r').unwrap_or(password);
    if password.is_empty() {
        return Err("the password on standard input is empty".into());
    }
    println!("{}", PasswordFile::line(user, password.as_bytes())?);
    Ok(())
}

#[tokio::main]
async fn serve(serve: Serve) -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_max_level(serve.log_level)
        .init();
    let options = options(&serve)?;
    #[cfg(unix)]
    descriptors::raise_limit(
        options
            .max_connections
            .saturating_add(options.max_pending_connections),
    );
    let tls = tls(&serve);
    let listeners: Vec<_> = serve
        .listen
        .iter()
        .map(|text| Ok((text, listen::parse(text, tls.as_ref())?)))
        .collect::<Result<_, listen::ListenUrlError>>()?;
    // Listening for the signals begins before anybody is told where the broker is.
    let mut signals = Signals::new()?;
    let broker = Broker::start(options);
    for (text, listen::Listen { listener, shown }) in &listeners {
        let local = broker.open(listener).await.map_err(|error| {
            let remedy = match error {
                ListenError::AuthenticationRequired { .. } => {
                    "; --password-file configures it, or --tls-client-ca with mqtts:// or wss://"
                }
                ListenError::Resolve(_) => "; write ADDRESS:PORT or a URL",
                _ => "",
            };
            format!("--listen {text}: {}{remedy}", chain(&error))
        })?;
        let mut stdout = io::stdout().lock();
        writeln!(stdout, "listening on {}", shown.at(&local))?;
        stdout.flush()?;
    }
    signals.recv().await;
    tracing::info!("stopping");
    tokio::select! {
        in_time = broker.shutdown(SHUTDOWN_DEADLINE) => if !in_time {
            tracing::warn!("some connections did not end in time and were cut off");
        },
        // Whoever asks twice does not want to wait.
        () = signals.recv() => tracing::warn!("stopped at once"),
    }
    Ok(())
}

fn tls(serve: &Serve) -> Option<ServerTls> {
    let (chain, key) = (serve.tls_cert.as_ref()?, serve.tls_key.as_ref()?);
    let tls = ServerTls::from_files(chain, key);
    Some(match &serve.tls_client_ca {
        Some(authorities) => tls.with_client_ca(Pem::file(authorities)),
        None => tls,
    })
}

fn options(serve: &Serve) -> Result<Options, Box<dyn Error>> {
    let mut options = Options::default();
    if let Some(path) = &serve.password_file {
        let file = PasswordFile::read(path);
        let file = file.map_err(|error| format!("--password-file: {}", chain(&error)))?;
        options.authenticator = Some(Arc::new(file));
    }
    if let Some(path) = &serve.access_file {
        let access = AccessFile::read(path);
        let access = access.map_err(|error| format!("--access-file: {}", chain(&error)))?;
        if access.names_users() && options.authenticator.is_none() {
            return Err(format!(
                "--access-file: {} has rules for users, and without --password-file anybody could say that they are one",
                path.display()
            )
            .into());
        }
        options.authorizer = Some(Arc::new(access));
    }
    options.max_keep_alive = KeepAlive::from_secs(serve.max_keep_alive);
    options.maximum_qos = match serve.max_qos {
        0 => QoS::AtMostOnce,
        1 => QoS::AtLeastOnce,
        _ => QoS::ExactlyOnce,
    };
    if let Some(prefix) = &serve.response_prefix {
        TopicName::new(prefix).map_err(|error| format!("--response-prefix: {error}"))?;
        options.response_prefix = Some(prefix.clone());
    }
    options.sys_interval =
        (serve.sys_interval > 0).then(|| Duration::from_secs(serve.sys_interval));
    options.max_connections = serve.max_connections;
    options.max_sessions = serve.max_sessions;
    options.max_session_expiry = Duration::from_secs(serve.max_session_expiry);
    options.maximum_packet_size =
        MaximumPacketSize::new(serve.max_packet_size).ok_or("--max-packet-size must not be 0")?;
    options.max_queued_messages = serve.max_queued_messages;
    options.max_queued_bytes = serve.max_queued_bytes;
    options.overflow = match serve.overflow {
        OnOverflow::DropNewest => Overflow::DropNewest,
        OnOverflow::DropOldest => Overflow::DropOldest,
        OnOverflow::Disconnect => Overflow::Disconnect,
    };
    Ok(options)
}

/// The signals that ask the program to stop.
struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};

        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    #[cfg(unix)]
    async fn recv(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    #[cfg(not(unix))]
    fn new() -> io::Result<Self> {
        Ok(Self {})
    }

    #[cfg(not(unix))]
    async fn recv(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            // Without a signal to wait for, the program runs until it is ended from outside.
            std::future::pending::<()>().await;
        }
    }
}

/// An error with all its causes, in one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

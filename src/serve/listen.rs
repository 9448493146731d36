//! Where the server listens: TCP addresses and Unix sockets.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use rustix::fs::Mode;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use tokio::net::{TcpListener, UnixListener};

use crate::limits::BACKLOG;
use crate::serve::caller::Caller;

/// `IP:PORT` or `unix:/path`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A TCP address; port 0 picks one.
    Tcp(SocketAddr),
    /// Path of a Unix socket.
    Unix(PathBuf),
}

/// Why the server cannot listen there.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum Error {
    #[error("cannot listen on {address}: {source}{}", advice(.source))]
    Bind { address: Address, source: io::Error },
    #[error("{path} is a symlink: name the socket itself, so that nobody can redirect it")]
    Symlink { path: PathBuf },
    #[error("{path} is there and is no socket: it was left as it is; name another path")]
    NotASocket { path: PathBuf },
    #[error("{path} is in use: another process answers on it")]
    InUse { path: PathBuf },
}

/// What to do about it, where the system's own words do not say.
fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => "; another process listens there: stop it or name another port",
        io::ErrorKind::AddrNotAvailable => "; expected an address of this machine",
        io::ErrorKind::PermissionDenied => "; expected a place that this user may use",
        io::ErrorKind::NotFound => "; make its directory first",
        _ => "",
    }
}

/// A text that is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no address: expected IP:PORT such as 127.0.0.1:9191, or unix:/path")]
pub struct NotAnAddress(String);

/// A bound listener.
#[derive(Debug)]
pub struct Listener {
    /// Where it really listens: a port 0 is resolved.
    pub address: Address,
    socket: Socket,
    /// Held for its `Drop`.
    _remove: Option<Remove>,
}

#[derive(Debug)]
enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// A connection, and who is at its other end.
#[derive(Debug)]
pub struct Connection {
    /// The connection.
    pub stream: Stream,
    /// The other end.
    pub caller: Caller,
}

/// A connection between two runtimes: it belongs to no reactor.
#[derive(Debug)]
pub enum Stream {
    /// Over TCP.
    Tcp(std::net::TcpStream),
    /// Over a Unix socket.
    Unix(UnixStream),
}

/// Removes the socket file when the listener goes, if it is still the one that was made.
#[derive(Debug)]
struct Remove {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl FromStr for Address {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        match text.strip_prefix("unix:") {
            Some("") => Err(NotAnAddress(text.to_owned())),
            Some(path) => Ok(Self::Unix(PathBuf::from(path))),
            None => text
                .parse()
                .map(Self::Tcp)
                .map_err(|_| NotAnAddress(text.to_owned())),
        }
    }
}

impl Listener {
    /// Binds `address`. Must be called inside a runtime, whose reactor then owns the socket.
    ///
    /// # Errors
    /// The address is taken, not ours, or a path that must not be replaced.
    pub fn bind(address: &Address, socket_mode: u32) -> Result<Self, Error> {
        let failed = |source| Error::Bind {
            address: address.clone(),
            source,
        };
        match address {
            Address::Tcp(tcp) => {
                let listener = bind_tcp(*tcp).map_err(failed)?;
                let bound = listener.local_addr().map_err(failed)?;
                let socket = Socket::Tcp(listener);
                Ok(Self {
                    address: Address::Tcp(bound),
                    socket,
                    _remove: None,
                })
            }
            Address::Unix(path) => {
                make_way(path)?;
                let (listener, remove) = bind_unix(path, socket_mode).map_err(failed)?;
                Ok(Self {
                    address: address.clone(),
                    socket: Socket::Unix(listener),
                    _remove: Some(remove),
                })
            }
        }
    }

    /// The next connection, taken out of this runtime's reactor.
    ///
    /// # Errors
    /// Those of `accept(2)`; some are of one connection only, see [`is_transient`].
    pub async fn accept(&self) -> io::Result<Connection> {
        match &self.socket {
            Socket::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                // An answer is one small write; waiting for more would only delay it.
                stream.set_nodelay(true)?;
                Ok(Connection {
                    stream: Stream::Tcp(stream.into_std()?),
                    caller: Caller::Tcp(address),
                })
            }
            Socket::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                // Who called `connect`, as the system saw it then (SO_PEERCRED).
                let peer = stream.peer_cred()?;
                Ok(Connection {
                    stream: Stream::Unix(stream.into_std()?),
                    caller: Caller::Unix {
                        uid: peer.uid(),
                        pid: peer.pid(),
                    },
                })
            }
        }
    }
}

/// Whether an error of `accept` concerns one connection, so that the next one may be taken
/// at once. Everything else (no descriptors left, no memory) needs a pause.
#[must_use]
pub fn is_transient(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
            | io::ErrorKind::NotConnected
            | io::ErrorKind::InvalidInput
    )
}

fn bind_tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => tokio::net::TcpSocket::new_v4()?,
        SocketAddr::V6(_) => tokio::net::TcpSocket::new_v6()?,
    };
    // A restart must not wait for the old connections' last minute.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Removes a socket that nobody accepts on; refuses everything else that is in the way.
fn make_way(path: &Path) -> Result<(), Error> {
    let failed = |source| Error::Bind {
        address: Address::Unix(path.to_path_buf()),
        source,
    };
    let kind = match std::fs::symlink_metadata(path) {
        Ok(metadata) => metadata.file_type(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    if kind.is_symlink() {
        return Err(Error::Symlink {
            path: path.to_path_buf(),
        });
    }
    if !kind.is_socket() {
        return Err(Error::NotASocket {
            path: path.to_path_buf(),
        });
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path).map_err(failed)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed(error)),
        Ok(_) => Err(Error::InUse {
            path: path.to_path_buf(),
        }),
    }
}

fn bind_unix(path: &Path, mode: u32) -> io::Result<(UnixListener, Remove)> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket: OwnedFd =
        rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    // Linux makes the file with the mode of the unbound socket less the umask, so that at no
    // time anybody may connect whom `mode` keeps out.
    rustix::fs::fchmod(&socket, Mode::from_raw_mode(mode))?;
    rustix::net::bind(&socket, &SocketAddrUnix::new(path)?)?;
    // What the umask took away and `mode` grants.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))?;
    let metadata = std::fs::symlink_metadata(path)?;
    let remove = Remove {
        path: path.to_path_buf(),
        device: metadata.dev(),
        inode: metadata.ino(),
    };
    rustix::net::listen(&socket, i32::try_from(BACKLOG).unwrap_or(i32::MAX))?;
    Ok((UnixListener::from_std(socket.into())?, remove))
}

impl Drop for Remove {
    fn drop(&mut self) {
        let ours = std::fs::symlink_metadata(&self.path)
            .is_ok_and(|m| (m.dev(), m.ino()) == (self.device, self.inode));
        if ours && let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "socket not removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn an_address_is_ip_and_port_or_a_unix_path() {
        assert_eq!(
            "127.0.0.1:9191".parse(),
            Ok(Address::Tcp(([127, 0, 0, 1], 9191).into()))
        );
        assert_eq!(
            "unix:/run/p.sock".parse(),
            Ok(Address::Unix("/run/p.sock".into()))
        );
        for bad in [
            "",
            "unix:",
            "9191",
            "127.0.0.1",
            "host:port",
            "tcp://127.0.0.1:1",
        ] {
            assert!(bad.parse::<Address>().is_err(), "{bad}");
        }
    }
}

//! What is answered: a few bytes that are there, or a file that is read as it goes out.

use std::{
    fs::File,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::{
    io::{AsyncRead, ReadBuf},
    sync::Notify,
};

use crate::places::{AddressPlace, Place};

#[derive(Debug)]
pub(crate) enum Body {
    Whole(Full<Bytes>),
    File(FileBody),
}

/// A file on its way out. It holds its places for as long as it lives.
#[derive(Debug)]
pub(crate) struct FileBody {
    pub(super) file: tokio::fs::File,
    pub(super) left: u64,
    pub(super) progress: Arc<Progress>,
    pub(super) _places: (Place, AddressPlace),
}

/// How far a file has gone out on one connection.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    bytes: AtomicU64,
    begun: Notify,
}

impl Progress {
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Waits until the first of it goes out; for one task.
    pub(super) async fn begun(&self) {
        self.begun.notified().await;
    }

    fn moved(&self, bytes: usize) {
        if self.bytes.fetch_add(bytes as u64, Ordering::Relaxed) == 0 {
            self.begun.notify_one();
        }
    }
}

impl FileBody {
    pub(super) fn new(
        file: File,
        length: u64,
        progress: Arc<Progress>,
        places: (Place, AddressPlace),
    ) -> Self {
        Self { file: tokio::fs::File::from_std(file), left: length, progress, _places: places }
    }

    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let mut chunk = vec![0; CHUNK.min(usize::try_from(self.left).unwrap_or(CHUNK))];
        let mut into = ReadBuf::new(&mut chunk);
        if let Err(error) = ready!(Pin::new(&mut self.file).poll_read(cx, &mut into)) {
            return Poll::Ready(Some(Err(error)));
        }
        let read = into.filled().len();
        if read == 0 {
            // Cut meanwhile: the connection ends before the length that was told.
            return Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into())));
        }
        chunk.truncate(read);
        self.left -= read as u64;
        self.progress.moved(read);
        Poll::Ready(Some(Ok(chunk.into())))
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match self.get_mut() {
            Self::Whole(whole) => {
                let frame = ready!(Pin::new(whole).poll_frame(cx));
                Poll::Ready(frame.map(|frame| frame.map_err(|never| match never {})))
            }
            Self::File(file) => {
                let chunk = ready!(file.poll_chunk(cx));
                Poll::Ready(chunk.map(|chunk| chunk.map(Frame::data)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(whole) => whole.is_end_stream(),
            Self::File(file) => file.left == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(whole) => whole.size_hint(),
            Self::File(file) => SizeHint::with_exact(file.left),
        }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::Whole(Full::new(bytes))
    }
}

/// Read and kept at once for each download.
const CHUNK: usize = 64 << 10;

using Ome.Agent.Verification.Reading;
using Ome.Agent.Verification.Reading.Linux;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Metadata;
using Ome.Shared.Domain.Verification;

namespace Ome.Agent.Verification;

/// <summary>What was made of a file's bytes, or why they could not be read.</summary>
internal readonly record struct FileBytesResult<T>(T? Value, FileObservation? Failure);

/// <summary>
/// Lets a parser read parts of a file on the engine's threads for short calls, as safely as <see cref="IFileProbe"/> reads content: nothing
/// outside the root, no special files, no hang, and nothing is believed of a file that changed meanwhile.
/// </summary>
internal static class FileBytes
{
    public static Task<FileBytesResult<T>> ReadAsync<T>(
        ReadEngine engine, ArtifactRoot root, ArtifactPath path, Func<IByteSource, T> parse, CancellationToken cancellationToken) => engine.CallAsync(
            root.Path,
            worker => Read(worker.Calls, root, path, parse, cancellationToken),
            (cause, errno) => new FileBytesResult<T>(default, new FileObservation.Unreadable(cause, errno)),
            cancellationToken);

    private static FileBytesResult<T> Read<T>(
        ISystemCalls calls, ArtifactRoot root, ArtifactPath path, Func<IByteSource, T> parse, CancellationToken cancellationToken)
    {
        var end = PathResolver.ResolveBelow(calls, root, path.Value);
        var refusal = FileLook.Refusal(calls, root, end);
        var descriptor = refusal is null ? calls.Reopen(end.Descriptor, direct: false) : -1;
        if (end.Kind == ResolutionKind.Found) calls.Close(end.Descriptor);
        if (refusal is not null) return new(default, refusal);
        if (descriptor < 0) return new(default, FileLook.Unreadable(calls, root, -descriptor, null));
        try
        {
            var value = parse(new DescriptorSource(calls, descriptor, end.Stat.Stamp.Size, cancellationToken));
            // What was read from a file in change fits together by chance only.
            var result = calls.Stat(descriptor, out var after);
            if (result < 0) return new(default, FileLook.Unreadable(calls, root, -result, null));
            return after.SameContent(end.Stat) ? new(value, null) : new(default, new FileObservation.ChangedMeanwhile());
        }
        catch (ReadFailedException failed)
        {
            return new(default, failed.Cancelled
                ? new FileObservation.Unreadable(UnreadableCause.Cancelled, "ECANCELED")
                : FileLook.Unreadable(calls, root, failed.ErrorNumber, failed.Offset));
        }
        finally
        {
            calls.Close(descriptor);
        }
    }

    /// <summary>An open file as bytes; pages that the look brings into the cache are dropped again where the kernel can.</summary>
    private sealed unsafe class DescriptorSource(ISystemCalls calls, int descriptor, long length, CancellationToken cancellationToken) : IByteSource
    {
        private ReadMode _mode = ReadMode.DropBehind;

        public long Length => length;

        public int ReadAt(long offset, Span<byte> buffer)
        {
            if (cancellationToken.IsCancellationRequested) throw new ReadFailedException(0, offset, cancelled: true);
            var wanted = (int)Math.Min(buffer.Length, Math.Max(0, length - offset));
            var interruptions = 0;
            fixed (byte* start = buffer)
            {
                while (wanted > 0)
                {
                    var got = (int)calls.Read(descriptor, start, wanted, offset, _mode);
                    if (got >= 0) return got;
                    if (-got == Errno.EINTR && ++interruptions < 16) continue;
                    if (_mode == ReadMode.Cached || -got is not (Errno.EOPNOTSUPP or Errno.EINVAL or Errno.ENOSYS)) throw new ReadFailedException(-got, offset, cancelled: false);
                    _mode = ReadMode.Cached;
                }
            }

            return 0;
        }
    }

    /// <summary>Carries an errno through the parsers, which pass exceptions of their source untouched.</summary>
    private sealed class ReadFailedException(int errno, long offset, bool cancelled) : IOException
    {
        public int ErrorNumber => errno;

        public long Offset => offset;

        public bool Cancelled => cancelled;
    }
}

using System.Runtime.InteropServices;
using System.Text;
using Ome.Agent.Verification.Reading.Linux;
using Ome.Shared.Domain.Models;

namespace Ome.Agent.Watching;

/// <summary>
/// The directories of all models behind one inotify instance and one thread. Of each model its own directory with everything below is watched, no link
/// followed except the one that may stand for the directory itself; and in the directory above only its name. The kernel watches what lay at a path when it
/// was asked: after <see cref="ITreeObserver.Moved"/> the tree is to be walked again, and whoever was told looks at the files after the walk.
/// </summary>
/// <param name="open">Opens the instance, when the first tree is watched.</param>
/// <param name="told">Hears of changes.</param>
internal sealed class WatchedTrees(Func<IKernelEvents> open, ITreeObserver told) : IDisposable
{
    private const uint Below = InotifyMask.Names | InotifyMask.Modify | InotifyMask.Attributes | InotifyMask.Self | InotifyMask.ExcludeUnlinked | InotifyMask.OnlyDirectory | InotifyMask.Add;

    // Without Modify: nobody is woken for what is written to files beside the model.
    private const uint Above = InotifyMask.Names | InotifyMask.Attributes | InotifyMask.Self | InotifyMask.OnlyDirectory | InotifyMask.Add;

    private const int BufferSize = 16 << 10;
    private const int StackSize = 256 << 10;

    // Links are not followed, and what is hidden counts.
    private static readonly EnumerationOptions Subdirectories = new() { AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = true };

    private readonly Lock _gate = new();
    private readonly Dictionary<int, HashSet<Interest>> _watches = [];
    private readonly Dictionary<ModelKey, HashSet<int>> _trees = [];
    private IKernelEvents? _kernel;
    private Thread? _reader;
    private string? _ended;
    private int _removals;

    /// <summary>Why a directory is watched.</summary>
    /// <param name="Key">For this model.</param>
    /// <param name="Name">For this name in it alone; null for everything in it.</param>
    private sealed record Interest(ModelKey Key, string? Name);

    /// <summary>Watches what lies there now, and no longer what does not; false when no directory does. One caller for each model at a time; different models side by side.</summary>
    /// <param name="key">The model.</param>
    /// <param name="directory">Its directory.</param>
    /// <param name="calling">Called before each call that may hang in the model's mount.</param>
    /// <exception cref="IOException">The kernel refuses: says why, and nothing of the model is watched.</exception>
    public bool Watch(ModelKey key, string directory, Action? calling = null)
    {
        var found = new HashSet<int>();
        calling ??= static () => { };
        try
        {
            var kernel = Kernel();
            var root = Path.TrimEndingDirectorySeparator(directory);
            if (Path.GetDirectoryName(root) is { } above) Add(kernel, above, Above, new Interest(key, Path.GetFileName(root)), found, calling);
            var isThere = Add(kernel, root, Below, new Interest(key, null), found, calling, isNeeded: true);
            if (isThere) AddBelow(kernel, root, key, found, calling);
            Release(key, found);
            return isThere;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            Drop(key);
            throw;
        }
    }

    /// <summary>The model's directories are no longer watched for it.</summary>
    public void Drop(ModelKey key) => Release(key, []);

    public void Dispose()
    {
        // A walk that hung may come back later than this.
        lock (_gate) _ended = "the agent stops";
        _kernel?.Stop();
        _reader?.Join();
        _kernel?.Dispose();
    }

    private void AddBelow(IKernelEvents kernel, string root, ModelKey key, HashSet<int> found, Action calling)
    {
        // A directory is watched before it is listed: what comes meanwhile is listed or told.
        var left = new Stack<string>([root]);
        while (left.TryPop(out var directory))
        {
            calling();
            foreach (var inner in List(directory))
            {
                if (Add(kernel, inner, Below | InotifyMask.DontFollow, new Interest(key, null), found, calling)) left.Push(inner);
            }
        }
    }

    private static List<string> List(string directory)
    {
        try
        {
            return [.. Directory.EnumerateDirectories(directory, "*", Subdirectories)];
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>False when there is no such directory, or it may not be read and is not needed: looks say what is wrong in it.</summary>
    private bool Add(IKernelEvents kernel, string directory, uint mask, Interest interest, HashSet<int> found, Action calling, bool isNeeded = false)
    {
        while (true)
        {
            if (Volatile.Read(ref _ended) is { } why) throw new IOException(why);
            var removals = Volatile.Read(ref _removals);
            calling();
            var watch = kernel.Add(directory, mask);
            switch (-watch)
            {
                case Errno.ENOENT or Errno.ENOTDIR or Errno.ELOOP or Errno.ENAMETOOLONG:
                case Errno.EACCES when !isNeeded:
                    return false;
                case Errno.ENOSPC:
                    throw new IOException("the limit of inotify watches (fs.inotify.max_user_watches) is reached");
                case > 0:
                    throw new IOException($"the kernel does not watch {directory} ({Errno.NameOf(-watch)})");
            }

            if (!Note(watch, interest, removals)) continue;
            found.Add(watch);
            return true;
        }
    }

    /// <summary>False when a watch has ended since the kernel was asked: it may be this one, which another model had and nobody was interested in any more.</summary>
    private bool Note(int watch, Interest interest, int removals)
    {
        lock (_gate)
        {
            if (_removals != removals) return false;
            ref var interests = ref CollectionsMarshal.GetValueRefOrAddDefault(_watches, watch, out _);
            (interests ??= []).Add(interest);
            ref var tree = ref CollectionsMarshal.GetValueRefOrAddDefault(_trees, interest.Key, out _);
            (tree ??= []).Add(watch);
            return true;
        }
    }

    /// <summary>Ends the model's interest in all but some watches, and those nobody is interested in.</summary>
    private void Release(ModelKey key, HashSet<int> keep)
    {
        lock (_gate)
        {
            if (!_trees.TryGetValue(key, out var tree)) return;
            foreach (var watch in tree.Where(watch => !keep.Contains(watch)).ToList())
            {
                tree.Remove(watch);
                if (!_watches.TryGetValue(watch, out var interests)) continue;
                interests.RemoveWhere(interest => interest.Key == key);
                if (interests.Count > 0) continue;
                _watches.Remove(watch);
                _removals++;
                _kernel?.Remove(watch);
            }

            if (tree.Count == 0) _trees.Remove(key);
        }
    }

    private IKernelEvents Kernel()
    {
        lock (_gate)
        {
            if (_ended is { } why) throw new IOException(why);
            if (_kernel is { } known) return known;
            var kernel = _kernel = open();
            _reader = new Thread(() => Read(kernel), StackSize) { IsBackground = true, Name = "file-events" };
            _reader.Start();
            return kernel;
        }
    }

    private void Read(IKernelEvents kernel)
    {
        var buffer = new byte[BufferSize];
        int length;
        while ((length = kernel.Read(buffer)) > 0)
        {
            for (var events = buffer.AsSpan(0, length); !events.IsEmpty; events = events[Take(events)..])
            {
            }
        }

        if (length == 0) return;
        Volatile.Write(ref _ended, $"the kernel ended its events ({Errno.NameOf(-length)})");
        Lost();
    }

    /// <summary>One <c>struct inotify_event</c>: watch, mask, cookie, length of the name, name padded with NUL. Gives its length.</summary>
    private int Take(ReadOnlySpan<byte> events)
    {
        var watch = MemoryMarshal.Read<int>(events);
        var mask = MemoryMarshal.Read<uint>(events[4..]);
        var end = 16 + (int)MemoryMarshal.Read<uint>(events[12..]);
        if ((mask & InotifyMask.Overflow) != 0) Lost();
        else Tell(watch, mask, events[16..end].TrimEnd((byte)0));
        return end;
    }

    private void Tell(int watch, uint mask, ReadOnlySpan<byte> name)
    {
        lock (_gate)
        {
            if (!_watches.TryGetValue(watch, out var interests)) return;
            // The kernel ended it: the directory is removed, or its disk is unmounted.
            if ((mask & InotifyMask.Ignored) != 0) _watches.Remove(watch);
            var isGone = (mask & (InotifyMask.Ignored | InotifyMask.Self)) != 0;
            foreach (var (key, only) in interests)
            {
                if (!isGone && only is not null && Encoding.UTF8.GetString(name) != only) continue;
                var isMoved = isGone || ((mask & InotifyMask.Names) != 0 && (only is not null || (mask & InotifyMask.IsDirectory) != 0));
                if (isMoved) told.Moved(key);
                else told.Changed(key);
            }
        }
    }

    private void Lost()
    {
        told.EventsLost();
        lock (_gate)
        {
            foreach (var key in _trees.Keys) told.Moved(key);
        }
    }
}

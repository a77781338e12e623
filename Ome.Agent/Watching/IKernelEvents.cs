namespace Ome.Agent.Watching;

/// <summary>One inotify instance as the watches see it, so that a test can fill, lose or refuse it. Answers are the kernel's: a negative number is <c>-errno</c>.</summary>
internal interface IKernelEvents : IDisposable
{
    /// <summary>Watches a directory for more (<see cref="InotifyMask"/>) than it was before; a directory that was watched already keeps its number.</summary>
    int Add(string directory, uint mask);

    /// <summary>Ends a watch; its last event is <see cref="InotifyMask.Ignored"/>.</summary>
    void Remove(int watch);

    /// <summary>Waits for events and gives their bytes (<c>struct inotify_event</c>, one after the other); 0 after <see cref="Stop"/>.</summary>
    int Read(Span<byte> events);

    /// <summary>Ends the waiting, from any thread.</summary>
    void Stop();
}

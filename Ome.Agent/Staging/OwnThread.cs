namespace Ome.Agent.Staging;

/// <summary>
/// Work that keeps a thread for seconds, waiting for a disk or digesting gigabytes: on the shared threads, of which there are as many as cores, a few of them would hold up
/// probes, watches and every other download.
/// </summary>
internal static class OwnThread
{
    public static Task RunAsync(Action work) => RunAsync(() =>
    {
        work();
        return true;
    });

    public static Task<T> RunAsync<T>(Func<T> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default);
}

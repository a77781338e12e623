using Ome.LocalCluster.Faults;
using Ome.LocalCluster.Kinds;
using Ome.LocalCluster.Protocol;
using Ome.LocalCluster.Storage;

namespace Ome.LocalCluster.Serving;

/// <summary>GET with <c>watch=true</c>: the changes from a revision on, as they happen.</summary>
/// <remarks>
/// A watch has no queue of its own: it reads the kind's history from its cursor. One that is too slow for the history's bound gets the 410 it
/// would get from a real server, and memory stays bounded whatever clients do.
/// </remarks>
internal sealed class WatchHandler(ObjectStore store, FaultInjector faults, TimeProvider clock, TimeSpan bookmarkInterval)
{
    private const int BatchSize = 256;

    public async Task HandleAsync(ApiRequest request, ApiResource resource, RequestPath path)
    {
        var query = ListQuery.Read(request, resource, path);
        var start = WatchStart.Read(request, store, resource);
        using var timeout = Timeout(request);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(request.Cancelled, timeout.Token);
        using var session = faults.OpenWatch(resource.Plural, either.Token);
        var output = new WatchOutput(request, resource, clock);
        try
        {
            await output.StartAsync(session.Ended);
            await StreamAsync(new Stream(resource, query, output, session, request.Flag("allowWatchBookmarks")), start);
        }
        catch (OperationCanceledException) when (session.Ended.IsCancellationRequested)
        {
            // The client left, its time is up, or the watch was dropped: the stream ends without a word.
        }
    }

    private sealed record Stream(ApiResource Resource, ListQuery Query, WatchOutput Output, WatchSession Session, bool Bookmarks)
    {
        /// <summary>Waits for ever when the watch was silenced.</summary>
        public Task SpeakAsync(CancellationToken cancellationToken) => Session.Silenced ? Task.Delay(System.Threading.Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken) : Task.CompletedTask;
    }

    private async Task StreamAsync(Stream stream, WatchStart start)
    {
        var ended = stream.Session.Ended;
        await stream.SpeakAsync(ended);
        if (start.Failure is { } failure)
        {
            await stream.Output.ErrorAsync(failure, ended);
            return;
        }
        var cursor = start.Revision;
        if (start.Initial is { } initial)
        {
            foreach (var item in initial.Objects.Values.Where(stream.Query.Matches)) stream.Output.Event("ADDED", item);
            if (start.EndsInitial) stream.Output.Bookmark(cursor, initialEventsEnd: true);
            await stream.Output.FlushAsync(ended);
        }
        var lastDue = clock.GetTimestamp();
        while (true)
        {
            var read = store.Read(stream.Resource.Collection, cursor, BatchSize);
            if (read.Forgotten)
            {
                await stream.SpeakAsync(ended);
                await stream.Output.ErrorAsync(ApiException.Expired($"too old resource version: {cursor}"), ended);
                return;
            }
            cursor = read.Through;
            if (read.Wait is null)
            {
                await stream.SpeakAsync(ended);
                var wrote = false;
                foreach (var change in read.Events) wrote |= Write(stream, change);
                if (wrote) await stream.Output.FlushAsync(ended);
            }
            // Counted from the last time, whatever happened: a kind that changes all the while without anything selected must move the client on, and one on
            // which nothing happens must show that the watch lives.
            var left = bookmarkInterval - clock.GetElapsedTime(lastDue);
            if (left <= TimeSpan.Zero)
            {
                if (stream.Bookmarks) await BookmarkAsync(stream, cursor);
                lastDue = clock.GetTimestamp();
            }
            else if (read.Wait is { } change)
            {
                await ChangedAsync(change, left, ended);
            }
        }
    }

    private static async Task BookmarkAsync(Stream stream, long cursor)
    {
        await stream.SpeakAsync(stream.Session.Ended);
        stream.Output.Bookmark(cursor, initialEventsEnd: false);
        await stream.Output.FlushAsync(stream.Session.Ended);
    }

    /// <summary>Returns at the change, or when it is time for a bookmark.</summary>
    private async Task ChangedAsync(Task change, TimeSpan left, CancellationToken ended)
    {
        try
        {
            await change.WaitAsync(left, clock, ended);
        }
        catch (TimeoutException)
        {
            // Nothing to wait for any longer.
        }
    }

    /// <summary>What the change means to someone who sees only what the query selects.</summary>
    private static bool Write(Stream stream, StoreEvent change)
    {
        var before = change.Old is { } old && stream.Query.Matches(old);
        var after = change.New is { } now && stream.Query.Matches(now);
        if (after) stream.Output.Event(before ? "MODIFIED" : "ADDED", change.New!);
        else if (before) stream.Output.Event("DELETED", change.Final ?? StoredObject.Freeze(change.Key, change.Revision, change.Old!.Parse()));
        return before || after;
    }

    private CancellationTokenSource Timeout(ApiRequest request)
    {
        var seconds = int.TryParse(request.Parameter("timeoutSeconds"), out var given) && given > 0 ? given : 3600;
        return new CancellationTokenSource(TimeSpan.FromSeconds(seconds), clock);
    }
}

using Ome.LocalCluster.Kinds;
using Ome.LocalCluster.Protocol;
using Ome.LocalCluster.Storage;

namespace Ome.LocalCluster.Serving;

/// <summary>Where a watch begins.</summary>
/// <param name="Revision">Changes after this one are sent.</param>
/// <param name="Initial">Objects sent as ADDED first; null for none.</param>
/// <param name="EndsInitial">A bookmark marks the end of the initial objects (<c>sendInitialEvents</c>).</param>
/// <param name="Failure">The watch answers 200 and then only this, as an ERROR event.</param>
internal sealed record WatchStart(long Revision, ListSnapshot? Initial, bool EndsInitial, ApiException? Failure)
{
    /// <summary>Reads the query parameters.</summary>
    /// <exception cref="ApiException">400 for parameters that contradict each other.</exception>
    public static WatchStart Read(ApiRequest request, ObjectStore store, ApiResource resource)
    {
        var version = request.Parameter("resourceVersion");
        var match = request.Parameter("resourceVersionMatch");
        var sendInitial = request.Parameter("sendInitialEvents");
        if (sendInitial.Length > 0 && match != "NotOlderThan") throw ApiException.BadRequest("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
        if (sendInitial.Length == 0 && match.Length > 0) throw ApiException.BadRequest("resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
        var revision = 0L;
        if (version.Length > 0 && !Revisions.TryParse(version, out revision)) throw ApiException.BadRequest($"resourceVersion: Invalid value: \"{version}\"");
        if (revision > store.Revision) return new WatchStart(0, null, false, ApiException.FutureRevision(revision, store.Revision));

        if (sendInitial == "true" || (sendInitial.Length == 0 && revision == 0))
        {
            var snapshot = store.List(resource.Collection);
            return new WatchStart(snapshot.Revision, snapshot, sendInitial == "true", null);
        }
        if (revision == 0) return new WatchStart(store.Revision, null, false, null);
        return store.CanResume(resource.Collection, revision)
            ? new WatchStart(revision, null, false, null)
            : new WatchStart(revision, null, false, ApiException.Expired($"too old resource version: {revision} ({store.Revision})"));
    }
}

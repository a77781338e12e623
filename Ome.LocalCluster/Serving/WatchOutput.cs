using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json.Nodes;
using Ome.LocalCluster.Kinds;
using Ome.LocalCluster.Protocol;
using Ome.LocalCluster.Storage;
using Ome.LocalCluster.Tables;

namespace Ome.LocalCluster.Serving;

/// <summary>Writes watch events, one JSON document a line, as plain objects or as tables.</summary>
internal sealed class WatchOutput(ApiRequest request, ApiResource resource, TimeProvider clock)
{
    private readonly PipeWriter _body = request.Http.Response.BodyWriter;
    private bool _definitionsSent;

    /// <summary>Sends the headers, so that the client knows it is watching before anything happens.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        request.Http.Response.ContentType = "application/json";
        await request.Http.Response.StartAsync(cancellationToken);
        await FlushAsync(cancellationToken);
    }

    public void Event(string type, StoredObject item)
    {
        if (!request.Accepts.Table)
        {
            Line(type, resource.ReadJson(item));
            return;
        }
        var table = TableRenderer.Render(resource.Columns, [resource.Read(item)], null, request.Parameter("includeObject"), clock.GetUtcNow(), withDefinitions: !_definitionsSent);
        _definitionsSent = true;
        Line(type, JsonText.ToUtf8(table));
    }

    public void Bookmark(long revision, bool initialEventsEnd)
    {
        var metadata = new JsonObject { ["resourceVersion"] = Revisions.Format(revision), ["creationTimestamp"] = null };
        if (initialEventsEnd) metadata["annotations"] = new JsonObject { ["k8s.io/initial-events-end"] = "true" };
        Line("BOOKMARK", JsonText.ToUtf8(new JsonObject { ["kind"] = resource.Kind, ["apiVersion"] = resource.GroupVersion, ["metadata"] = metadata }));
    }

    public async Task ErrorAsync(ApiException failure, CancellationToken cancellationToken)
    {
        Line("ERROR", JsonText.ToUtf8(failure.ToStatus()));
        await FlushAsync(cancellationToken);
    }

    public async Task FlushAsync(CancellationToken cancellationToken) => await _body.FlushAsync(cancellationToken);

    private void Line(string type, ReadOnlySpan<byte> json)
    {
        _body.Write("{\"type\":\""u8);
        _body.Write(Encoding.ASCII.GetBytes(type));
        _body.Write("\",\"object\":"u8);
        _body.Write(json);
        _body.Write("}\n"u8);
    }
}

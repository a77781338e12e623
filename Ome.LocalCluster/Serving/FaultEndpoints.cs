using System.Text.Json.Nodes;
using Ome.LocalCluster.Faults;
using Ome.LocalCluster.Protocol;

namespace Ome.LocalCluster.Serving;

/// <summary>Fault injection over HTTP, for the demo and for hand use, under <see cref="Prefix"/>. Works during an outage too.</summary>
internal sealed class FaultEndpoints(FaultInjector faults, TimeProvider clock)
{
    public const string Prefix = "/local-cluster/";

    public async Task HandleAsync(ApiRequest request)
    {
        if (!request.Who.IsMaster) throw ApiException.Forbidden("", "faults", "", "only the admin token may inject faults");
        var answer = (request.Method, request.Path[Prefix.Length..].Split('/')) switch
        {
            ("GET", ["faults"]) => Rules(),
            ("POST", ["faults"]) => new JsonObject { ["id"] = faults.Add(ReadRule(await RequestBody.ReadObjectAsync(request))).Id },
            ("DELETE", ["faults"]) => Clear(),
            ("DELETE", ["faults", var id]) when int.TryParse(id, out var number) => new JsonObject { ["removed"] = faults.Remove(number) },
            ("POST", ["watches", "drop"]) => new JsonObject { ["dropped"] = faults.DropWatches(Resource(request)) },
            ("POST", ["watches", "silence"]) when Resource(request) is { } resource => new JsonObject { ["silenced"] = faults.SilenceWatches(resource) },
            ("POST", ["history", "truncate"]) => Truncate(),
            ("POST", ["outage"]) => BeginOutage(request),
            _ => throw ApiException.UnknownPath(),
        };
        await request.JsonAsync(answer);
    }

    private JsonObject Rules() => new()
    {
        ["rules"] = new JsonArray([.. faults.Rules.Select(r => (JsonNode)new JsonObject { ["id"] = r.Key, ["rule"] = r.Value.ToString() })]),
        ["openWatches"] = faults.OpenWatches(),
        ["down"] = faults.IsDown,
    };

    private JsonObject Clear()
    {
        faults.Clear();
        return Rules();
    }

    private JsonObject Truncate()
    {
        faults.TruncateHistory();
        return [];
    }

    private JsonObject BeginOutage(ApiRequest request)
    {
        if (!double.TryParse(request.Parameter("seconds"), out var seconds) || seconds is <= 0 or > 3600)
            throw ApiException.BadRequest($"seconds: got \"{request.Parameter("seconds")}\", need a number above 0 and at most 3600");
        _ = EndOutageAsync(TimeSpan.FromSeconds(seconds));
        return new JsonObject { ["seconds"] = seconds };
    }

    // Begins a moment later, so that the answer to this very request gets out.
    private async Task EndOutageAsync(TimeSpan length)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(50), clock, CancellationToken.None);
        faults.BeginOutage();
        await Task.Delay(length, clock, CancellationToken.None);
        faults.EndOutage();
    }

    private static string? Resource(ApiRequest request) => request.Parameter("resource") is { Length: > 0 } resource ? resource : null;

    private static bool IsTrue(JsonNode? flag) => flag?.GetValueKind() == System.Text.Json.JsonValueKind.True;

    private static FaultRule ReadRule(JsonObject body) => new()
    {
        Verb = body.Text("verb"),
        Resource = body.Text("resource"),
        Subresource = body.Text("subresource"),
        Namespace = body.Text("namespace"),
        Name = body.Text("name"),
        Skip = (int)(body.Integer("skip") ?? 0),
        Times = (int?)body.Integer("times"),
        Latency = TimeSpan.FromMilliseconds(body.Integer("latencyMilliseconds") ?? 0),
        Code = (int?)body.Integer("code"),
        RetryAfterSeconds = (int?)body.Integer("retryAfterSeconds"),
        LoseAnswer = IsTrue(body["loseAnswer"]),
        CutConnection = IsTrue(body["cutConnection"]),
    };
}

using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.LocalCluster.Conformance;

/// <summary>Many writers, many watchers: each watcher sees each object's changes in order and without gaps.</summary>
public sealed class WatchFanOutTests : ConformanceTest
{
    private const int Objects = 8;
    private const int WritesPerObject = 50;
    private const int Watchers = 25;

    [Test, CancelAfter(120_000)]
    public async Task No_event_is_lost_or_reordered_for_any_object(CancellationToken ct)
    {
        var version = (await Api.GetAsync(ConfigMaps, ct)).ResourceVersion;
        var watchers = Enumerable.Range(0, Watchers).Select(_ => SeeAsync(version, ct)).ToList();

        var written = await Task.WhenAll(Enumerable.Range(0, Objects).Select(i => WriteAsync($"o{i}", ct)));

        foreach (var seen in await Task.WhenAll(watchers))
        {
            for (var i = 0; i < Objects; i++) seen[$"o{i}"].Should().Equal(written[i]);
        }
    }

    private async Task<List<string>> WriteAsync(string name, CancellationToken ct)
    {
        var versions = new List<string> { (await CreateAsync(name, ct, value: "0", metadata: ""","labels":{"w":"1"}""")).ResourceVersion };
        while (versions.Count < WritesPerObject)
        {
            var answer = await Api.PatchAsync($"{ConfigMaps}/{name}", RawApi.MergePatch, $$$"""{"data":{"k":"{{{versions.Count}}}"}}""", ct);
            versions.Add(answer.Expect(200).ResourceVersion);
        }
        return versions;
    }

    private async Task<Dictionary<string, List<string>>> SeeAsync(string version, CancellationToken ct)
    {
        var seen = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        var left = Objects * WritesPerObject;
        await foreach (var line in Api.WatchAsync($"{ConfigMaps}?watch=true&labelSelector=w&resourceVersion={version}", ct))
        {
            if (!seen.TryGetValue(line.Name, out var versions)) seen[line.Name] = versions = [];
            versions.Add(line.ResourceVersion);
            if (--left == 0) break;
        }
        return seen;
    }
}

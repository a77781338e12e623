using System.Text.Json;
using Ome.Agent.Staging;
using Ome.Shared.Domain;
using Ome.Shared.Domain.Models;
using Ome.Tests.Support;

namespace Ome.Tests.Agent.Staging.Oci;

/// <summary>Contract S14: which objects of a prefix are a node's.</summary>
public sealed class ShapeFilterTests
{
    [TestCaseSource(typeof(CaseTable), nameof(CaseTable.Rows), new object?[] { "contract/placement.json", "objects" }), CancelAfter(180_000)]
    public async Task Engines_are_taken_for_the_shape_of_the_node(JsonElement row, CancellationToken token)
    {
        await using var bed = await OciBed.StartAsync(token);
        foreach (var name in row.Texts("objects")) bed.Store.Put("models", "m/" + name, [1]);
        var node = new NodeFacts { Name = "n", Labels = new Dictionary<string, string>(StringComparer.Ordinal) { [OmeNames.InstanceTypeLabel] = row.Text("shape")! } };
        var request = OciBed.Request("oci://models/m", node: node, format: row.Text("format")!, role: row.Text("role") ?? ModelSpec.DefaultRole);

        if (row.GetProperty("want").ValueKind == JsonValueKind.Null) (await OciSourceTests.FailAsync(bed, request, token)).Reason.Should().Be(StagingFailureReason.NotFound);
        else (await OciSourceTests.ListAsync(bed, request, token)).Files.Select(static file => file.Path.Value).Should().Equal(row.Texts("want"));
    }
}

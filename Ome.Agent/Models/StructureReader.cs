using System.Collections.Immutable;
using Ome.Agent.Hosting;
using Ome.Agent.Staging;
using Ome.Agent.Verification;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Verification;

namespace Ome.Agent.Models;

/// <summary>Structure as verification sees it, for staging.</summary>
public sealed class StructureReader(ManifestBuilder builder, AgentOptions options) : IStructureReader
{
    public async Task<ImmutableArray<FileFinding>> ReadAsync(string directory, CancellationToken cancellationToken)
    {
        var request = new BuildRequest(directory, options.BoundaryOf(directory), new SourceIdentity("", directory, null), GroundTruth.None) { ReadContent = false };
        var build = await builder.BuildAsync(request, cancellationToken);
        return [.. build.Verdict.Findings.Where(finding => finding.Reason is FindingReason.StructureInvalid or FindingReason.IndexIncomplete)];
    }
}

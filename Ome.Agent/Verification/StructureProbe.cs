using Ome.Agent.Verification.Reading;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Verification;

namespace Ome.Agent.Verification;

/// <summary>Examines structure on the engine's threads for short calls: a header must not wait behind gigabytes.</summary>
internal sealed class StructureProbe(ReadEngine engine) : IStructureProbe
{
    public async Task<StructureLook> ExamineAsync(ArtifactRoot root, ArtifactPath path, FileRole role, CancellationToken cancellationToken)
    {
        var (examination, failure) = await FileBytes.ReadAsync(engine, root, path, source => StructureCheck.Examine(role, source), cancellationToken);
        return new StructureLook(examination, failure);
    }
}

using Ome.Agent.Verification.Reading;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Verification;

namespace Ome.Agent.Verification;

/// <summary>What looking at a file's structure gave: an examination, or why it could not be looked at.</summary>
/// <param name="Examination">Null when the file could not be read.</param>
/// <param name="Failure">Null when it could.</param>
public readonly record struct StructureLook(StructureExamination? Examination, FileObservation? Failure);

/// <summary>Reads the few bytes a structure check needs. Promises what <see cref="IFileProbe"/> promises: nothing outside the root, no hang, no exception.</summary>
public interface IStructureProbe
{
    Task<StructureLook> ExamineAsync(ArtifactRoot root, ArtifactPath path, FileRole role, CancellationToken cancellationToken);
}

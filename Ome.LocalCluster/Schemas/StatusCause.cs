namespace Ome.LocalCluster.Schemas;

/// <summary>One entry of <c>Status.details.causes</c>.</summary>
/// <param name="Reason">Machine-readable, e.g. <c>FieldValueRequired</c>, <c>FieldManagerConflict</c>.</param>
/// <param name="Message">What is wrong, without the field.</param>
/// <param name="Field">Path of the field, e.g. <c>spec.storage.storageUri</c>.</param>
public sealed record StatusCause(string Reason, string Message, string Field);

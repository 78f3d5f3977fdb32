"""Video-MMMU: three questions about each lecture video, and what was learnt from it.

A data folder holds the questions as the authors' repository has them (the first that is there is taken):

    perception_video.json  comprehension_video.json  adaptation_video.json
        {"Perception": {"0": row, "1": row, ...}}        dict of dicts; the top key is the track
        row = {"id", "question", "options": [str, ...], "answer": str, "question_type": "multiple-choice" | "open"}
        (question_type ships in Adaptation only; other keys such as link_selected are kept out of the way)
    Perception/ Comprehension/ Adaptation/               Hugging Face configs: *.parquet, *.jsonl or *.json

and the videos and texts beside them:

    <Discipline>/<id>.mp4  or  <id>.mp4  or  videos/<id>.mp4
                                        Discipline: Art Business Engineering Humanities Medicine Science
    question_only/<id>_image.mp4        the adaptation question's image as a two-second video
    transcripts/<id>.txt                what is said, UTF-8; may be absent

An id is "<split>_<Subject>_<number>" (validation_Math_3, new_Art_Theory_6); the subject names the discipline.

Source: EvolvingLMMs-Lab/VideoMMMU@88b4ac3e07326eaabda3a4afe8e7f30dd02bc143 and
EvolvingLMMs-Lab/lmms-eval@75571cfe0fa36ca5ec2e6aa2bb268f9d38295af3, lmms_eval/tasks/videommmu.
"""
